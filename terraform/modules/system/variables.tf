# None: the system is the same in every environment.
