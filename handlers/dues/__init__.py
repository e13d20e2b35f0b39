"""dues: what do I owe, and why?"""
