# Skillet on a full ROS 2 Jazzy installation, see docs/full_ros.md.
FROM ros:jazzy-ros-base

RUN apt-get update && apt-get install -y --no-install-recommends \
        python3-colcon-common-extensions python3-pip python3-venv \
        ros-jazzy-control-msgs ros-jazzy-tf2-msgs ros-jazzy-xacro \
        libegl1 libegl-mesa0 libgl1-mesa-dri \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /skillet
COPY . .
RUN python3 -m venv --system-site-packages /opt/venv \
    && /opt/venv/bin/pip install -c constraints.txt \
        mujoco ompl toppra ruckig airo-models example-robot-data trimesh pycollada fast-simplification \
        rosbags mcap zarr pydantic av matplotlib jinja2 rich
ENV PATH=/opt/venv/bin:$PATH
RUN . /opt/ros/jazzy/setup.sh && colcon build --base-paths . ros_ws/src \
        --build-base ros_ws/build --install-base ros_ws/install
CMD ["bash", "-c", ". ros_ws/install/setup.bash && ros2 launch skillet sim.launch.xml"]
