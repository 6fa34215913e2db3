# make demo: from a sentence to a recorded episode. make test: every test. Each sets up what is missing first.

ROBOT ?= ur5e
TASK ?= put the red block in the left bin
SCENE ?= blocks
SEED ?= 0
ONLY ?=
ARGS ?=

PYTHON ?= python3
ROS := .venv/bin/with-ros

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: ## install and build all that is needed (only what changed)
	@$(PYTHON) tools/bootstrap.py

demo: setup ## run one task; ROBOT=ur5e|panda TASK="a sentence" SCENE=blocks SEED=0
	@.venv/bin/skillet demo --robot "$(ROBOT)" --task "$(SCENE)" --seed "$(SEED)" "$(TASK)"

test: setup ## run every test; ARGS="-k name" goes to pytest
	@$(ROS) python -m pytest $(ARGS)

lint: setup ## check style, formatting, types and spelling: the hooks of .pre-commit-config.yaml
	@$(ROS) pre-commit run --all-files

bench: setup ## run the benchmarks into out/bench.json; ONLY=name for one
	@$(ROS) python benchmarks/run.py $(ONLY)

clean: ## remove everything that was made here
	rm -rf .venv out ros_ws/build ros_ws/install ros_ws/log
