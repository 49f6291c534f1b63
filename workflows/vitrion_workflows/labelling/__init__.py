"""One label: the labelling task, the stopping rule and the label record of a trajectory."""
