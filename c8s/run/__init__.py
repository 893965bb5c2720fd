"""The planner: a run, its pipeline, its Jobs and the time go in; wanted Jobs and a status come out."""
