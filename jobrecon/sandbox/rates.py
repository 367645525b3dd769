"""How often things happen in the sandbox and how long they take. Made up, but for the shapes: nobody publishes these."""

# When a task settles: most in minutes, some in hours, the rest never.
SETTLES_IN_HOURS = 0.13
SETTLES_NEVER = 0.02
MINUTES_MEDIAN_SECONDS, MINUTES_SIGMA = 90.0, 0.8
HOURS_MEDIAN_SECONDS, HOURS_SIGMA = 7200.0, 0.6

# How a task ends; the rest SUCCEEDED.
FAILED = 0.08
PROCESSED = 0.02
PROCESSED_WITH_ERROR = 0.5
ONE_LOCATION_FAILS = 0.1
"""Of a job posted in several locations: each other location, where the first one succeeded."""

# Irregularities of task results, each seen in LinkedIn's own samples.
IN_PROGRESS_WITH_JOB_POSTING = 0.05
OTHER_ID_INSIDE = 0.005
MALFORMED_UUID = 0.005
FAILED_WITHOUT_JOB_ID = 0.1
EXPLICIT_NULLS = 0.2

# Notifications after a task has succeeded.
SILENT_JOB = 0.03
"""Jobs for which no notification is ever sent."""
IN_PROGRESS_FIRST = 0.3
LISTING_STUCK = 0.01
NOTICE_MEDIAN_SECONDS, NOTICE_SIGMA = 20.0, 0.8
LISTED_MEDIAN_SECONDS, LISTED_SIGMA = 120.0, 0.8
CUSTOMER_NOT_MIGRATED = 0.5
"""Of PROCESSED CREATEs: followed by a notification with PENDING_CUSTOMER_MIGRATION."""

NOT_LISTED_OTHERWISE = 0.3
"""Of the other PROCESSED CREATEs: a notification says NOT_LISTED for another reason."""

APPLY_FAILED = 0.08
APPLY_STUCK = 0.01
APPLY_ABSENT = 0.05
APPLY_NOT_REQUESTED = 0.1
"""Healthy jobs without LinkedIn Apply, which LinkedIn reports as an error of the partner."""
APPLY_MEDIAN_SECONDS, APPLY_SIGMA = 300.0, 0.5
PROMOTED = 0.2

# What happens to a listed job later.
TAKEN_DOWN = 0.05
TAKEN_DOWN_MEDIAN_SECONDS, TAKEN_DOWN_SIGMA = 86_400.0, 1.0
COMES_BACK = 0.3
COMES_BACK_MEDIAN_SECONDS, COMES_BACK_SIGMA = 28_800.0, 0.7
LOSES_APPLY = 0.03
LOSES_APPLY_MEDIAN_SECONDS, LOSES_APPLY_SIGMA = 43_200.0, 1.0
LOSES_PROMOTION = 0.1
LOSES_PROMOTION_MEDIAN_SECONDS, LOSES_PROMOTION_SIGMA = 43_200.0, 0.7
RESYNC_REQUESTED = 0.005
RESYNC_MEDIAN_SECONDS, RESYNC_SIGMA = 86_400.0, 0.5
LISTED_AFTER_CLOSE = 0.015
LISTED_AFTER_CLOSE_MEDIAN_SECONDS, LISTED_AFTER_CLOSE_SIGMA = 21_600.0, 0.5

# Shapes of a notification that the documentation leaves open.
FIELDS_INSIDE_INFO = 0.05
DETAILS_ABSENT = 0.2
NUMBER_AS_ID = 0.5
"""Of jobs whose id is a plain number."""
