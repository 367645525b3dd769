-- Findings that a check by jobPostingStatus can confirm or refute. One row per kind and facet.
create or replace temp table checkable_kinds as
select
    checkable.kind,
    checkable.facet
from (
    values
    ('UNLISTED', 'LISTING'),
    ('STILL_LISTED', 'LISTING'),
    ('UNCONFIRMED', 'LISTING'),
    ('EXPIRING', 'LISTING'),
    ('STUCK', 'LISTING'),
    ('STUCK', 'APPLY'),
    ('APPLY_DISABLED', 'APPLY'),
    ('PROMOTION_LOST', 'PROMOTION')
) as checkable (kind, facet)
