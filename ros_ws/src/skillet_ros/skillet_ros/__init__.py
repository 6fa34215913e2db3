"""What every Skillet node shares, so that a node file holds only what is its own.

This package and modules named ``*_node.py`` are the only places that import ``rclpy``.
"""
