# None: what the system is made of is the same in every environment.
