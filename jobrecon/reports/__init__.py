"""The daily report: what is wrong, who has to act and how, in files that a person opens."""
