"""Grasps: surfaces, antipodal candidates, checks with the hand alone, and their ranking."""
