"""Words of what minds the clock: each a function of what is read, and of when it is opened.

Such pipelines keep to a timetable: no two things happen at the same time, so nothing depends on the schedule.
"""
