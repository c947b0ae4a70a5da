"""Side by side: streamkit, the same by hand, and its peers. Run all of it by ``make bench``."""
