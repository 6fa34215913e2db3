"""The simulation node: MuJoCo behind the contract of the real robots and cameras.

It hosts the simulated arm with its controllers, the cameras, the clock and the scene services.
Three threads: the executor (services and actions), the simulation (physics, control, states) and
the cameras. The simulation owns the world; a lock hands it to a service between two periods.
"""

from __future__ import annotations

import sys
import threading
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from skillet_interfaces.msg import SceneState as SceneStateMsg
from skillet_interfaces.srv import SceneReset, SceneStep
from std_msgs.msg import String

from skillet_control.controllers_node import ControllerInterface
from skillet_control.loop_statistics import LoopStatistics
from skillet_control.manager import ControllerManager
from skillet_core import contract
from skillet_core.errors import SkilletError
from skillet_core.robot import load_robot
from skillet_core.scene import load_task
from skillet_ros import qos
from skillet_ros.convert import camera_info, image_to_msg, scene_to_msg, time_to_msg
from skillet_ros.parameters import declare_parameters
from skillet_ros.run import run_node
from skillet_sim.camera_thread import CameraThread, Frame
from skillet_sim.cameras import intrinsics
from skillet_sim.hardware import MujocoArm
from skillet_sim.robot_model import compose_urdf
from skillet_sim.sim_parameters import SimParameters
from skillet_sim.world import World

DIAGNOSTICS_RATE = 1
"""/diagnostics [Hz]."""
MAX_LAG = 0.25
"""Lag behind the wall clock beyond which lost time is given up rather than made good [s]."""
GL_TIMEOUT = 10.0
"""How long the first frame, or one in lock-step, may take [s]."""
CLOCK_START = 1.0
"""The clock's first value [s]: a stamp of zero means "now" in ROS."""


class SimNode(Node):
    """Simulated robot, scene and cameras, see docs/contract.md."""

    def __init__(self) -> None:
        super().__init__("sim_node")
        self.parameters = declare_parameters(self, SimParameters)
        p = self.parameters
        self.robot = load_robot(p.robot)
        self.world = World(self.robot, load_task(p.task), timestep=p.timestep, seed=p.seed)
        self._period = 1.0 / p.control_rate
        self._real_period = self._period / p.real_time_factor if p.real_time_factor else 0.0
        self._steps = round(self._period / p.timestep)
        self._clock_offset = CLOCK_START
        self._tick = 0
        self._lock = threading.RLock()
        self._lockstep = p.lockstep
        self._stopping = False
        self.exit_status = 0

        self.manager = ControllerManager(
            MujocoArm(self.world), self.robot, period=self._period, parameters=p.control
        )
        self.controllers = ControllerInterface(self, self.manager, self.robot)
        self._statistics = LoopStatistics(self._real_period, window=4 * p.control_rate)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.STATE)
        self._clock_publisher = self.create_publisher(Clock, "/clock", qos.CLOCK)
        self._scene = self.create_publisher(SceneStateMsg, contract.SCENE_STATE, qos.STATE)
        self._description = self.create_publisher(String, contract.ROBOT_DESCRIPTION, qos.LATCHED)
        self._description.publish(String(data=compose_urdf(self.robot)))
        self._cameras = self._start_cameras() if p.cameras else None
        self.create_service(SceneReset, contract.SCENE_RESET, self._on_reset)
        self.create_service(SceneStep, contract.SCENE_STEP, self._on_step)
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self._thread.start()
        self.get_logger().info(f"{self.robot.title}, task {p.task!r}, seed {p.seed}")

    @property
    def now(self) -> float:
        """Simulation time as published on /clock [s]: it never goes back, resets included."""
        return self._clock_offset + self.world.time

    def destroy_node(self) -> None:
        """End the threads before the publishers that they use."""
        self._stopping = True
        self._thread.join(timeout=5.0)
        if self._cameras:
            self._cameras.close()
        super().destroy_node()

    def _run(self) -> None:
        """Simulate until the node stops; a fault ends the node, so that others notice."""
        self.exit_status = 1
        try:
            if self._cameras:  # making a GL context takes a while: let no simulated time pass in it
                self._cameras.request(self.now)
                self._cameras.wait_idle(GL_TIMEOUT)
            self._follow_wall_clock()
            self.exit_status = 0
        finally:
            self.context.try_shutdown()

    def _follow_wall_clock(self) -> None:
        """Run one control period after another, each when it is due by the wall clock."""
        due = time.monotonic()
        while not self._stopping and rclpy.ok(context=self.context):
            with self._lock:
                if not self._lockstep:
                    self._statistics.tick(time.monotonic())
                    self._advance()
                    if self._due(DIAGNOSTICS_RATE):
                        self._publish_diagnostics()
            due += self._real_period
            delay = due - time.monotonic()
            if delay > 0:
                time.sleep(delay)
            elif not self._real_period:
                time.sleep(0.0)  # a service that waits for the lock gets its turn
            elif delay < -MAX_LAG:
                self.get_logger().warning(
                    f"the simulation runs {-delay:.2f} s behind the wall clock and gives that time up",
                    throttle_duration_sec=10.0,
                )
                due = time.monotonic()

    def _advance(self) -> None:
        """Run one control period and publish what is due."""
        p = self.parameters
        self.manager.update(self.now)
        self.world.step(self._steps)
        stamp = self.now
        self._tick += 1
        if self._due(p.clock_rate):
            self._clock_publisher.publish(Clock(clock=time_to_msg(stamp)))
        self.controllers.publish(stamp)
        if self._due(p.scene_rate):
            self._publish_scene(stamp)
        if self._cameras and self._due(p.camera_rate):
            self._cameras.request(stamp)

    def _due(self, rate: int) -> bool:
        """Whether this tick is one of ``rate`` evenly spread ones in a second."""
        control_rate = self.parameters.control_rate
        return self._tick * rate // control_rate != (self._tick - 1) * rate // control_rate

    def _publish_scene(self, stamp: float) -> SceneStateMsg:
        msg = scene_to_msg(self.world.scene_state(), self.robot.base_frame)
        msg.header.stamp = time_to_msg(stamp)
        self._scene.publish(msg)
        return msg

    def _publish_diagnostics(self) -> None:
        rate = self._statistics.rate
        values = {
            "control_rate_hz": rate,
            "realtime_factor": rate * self._period,
            "period_error_p99_ms": 1e3 * self._statistics.period_error(99),
        }
        status = DiagnosticStatus(
            level=DiagnosticStatus.OK, name="sim_node: control loop", hardware_id="mujoco"
        )
        status.values = [KeyValue(key=key, value=f"{value:.6g}") for key, value in values.items()]
        msg = DiagnosticArray(status=[status])
        msg.header.stamp = time_to_msg(self.now)
        self._diagnostics.publish(msg)

    def _start_cameras(self) -> CameraThread:
        p = self.parameters
        size = (p.image_width, p.image_height)
        publishers, matrices = {}, {}
        for camera in self.robot.cameras:
            matrices[camera.name] = intrinsics(camera, *size), camera.optical_frame
            publishers[camera.name] = (
                self.create_publisher(Image, contract.color_image(camera.name), qos.IMAGE),
                self.create_publisher(CameraInfo, contract.color_info(camera.name), qos.IMAGE),
                self.create_publisher(Image, contract.depth_image(camera.name), qos.IMAGE),
                self.create_publisher(CameraInfo, contract.depth_info(camera.name), qos.IMAGE),
            )

        def publish(frame: Frame) -> None:
            color, color_info, depth, depth_info = publishers[frame.camera]
            stamp, (matrix, optical) = time_to_msg(frame.stamp), matrices[frame.camera]
            info = camera_info(matrix, *size, stamp, optical)
            color.publish(image_to_msg(frame.color, stamp, optical))
            color_info.publish(info)
            if frame.depth is not None:
                depth.publish(image_to_msg(frame.depth, stamp, optical))
                depth_info.publish(info)

        return CameraThread(self.world, size, publish, depth=p.depth)

    def _on_reset(self, request: SceneReset.Request, response: SceneReset.Response) -> SceneReset.Response:
        with self._lock:
            if request.task and request.task != self.world.task.name:
                response.message = (
                    f"this simulation runs the task {self.world.task.name!r}; "
                    f"start it with task:={request.task} for another"
                )
                return response
            if request.seed < 0:
                response.message = f"a seed is 0 or more, got {request.seed}"
                return response
            before = self.now
            try:
                self.world.reset(request.seed)
                response.success = True
            except SkilletError as error:
                response.message = str(error)
            # a reset that failed, too, has put the robot home and the world's own time to zero
            self._clock_offset = before - self.world.time
            self.manager.synchronise("the scene was reset")
            response.state = self._publish_scene(self.now)
        return response

    def _on_step(self, request: SceneStep.Request, response: SceneStep.Response) -> SceneStep.Response:
        with self._lock:
            self._lockstep = request.mode == SceneStep.Request.STEP
            if self._lockstep:
                for _ in range(request.periods):
                    self._advance()
                    if self._cameras and not self._cameras.wait_idle(GL_TIMEOUT):
                        response.message = f"a camera frame took longer than {GL_TIMEOUT:g} s to render"
                        return response
            response.stamp = time_to_msg(self.now)
        response.success = True
        return response


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run_node(SimNode, args)


if __name__ == "__main__":
    sys.exit(main())
