# Skillet on the embedded ROS 2 (PyPI): simulation, recording, conversion, tests.
FROM python:3.12-slim-bookworm

RUN apt-get update && apt-get install -y --no-install-recommends \
        git make g++ libegl1 libegl-mesa0 libgl1-mesa-dri libosmesa6 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /skillet
COPY . .
RUN make setup
CMD ["make", "demo"]
