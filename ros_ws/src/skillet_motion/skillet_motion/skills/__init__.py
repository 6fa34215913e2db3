"""Skills: what the robot can do, each a function over the `Robot` protocol with typed arguments."""

from skillet_motion.skills.registry import SKILLS, run_skill, skill, skill_names
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillArgumentError, SkillResult

__all__ = [
    "SKILLS",
    "PhaseCallback",
    "Skill",
    "SkillArgumentError",
    "SkillResult",
    "run_skill",
    "skill",
    "skill_names",
]
