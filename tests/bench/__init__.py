"""The benchmarks: how fast is Tiexin, beside what else one could have taken? `make bench`."""
