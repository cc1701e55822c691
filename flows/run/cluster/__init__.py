"""A run on a cluster: which runner an audit asks for, and the tasks that go to Ray."""
