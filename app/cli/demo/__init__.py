"""`slipway demo`: the main job from order to credentials, on this machine, with nothing else."""
