"""Several machines as processes of this one, with the settings of compose.cluster.yaml; `make cluster`."""
