-- Add challenges that are not known yet: merging one twice changes nothing.
insert into webhook_challenges by name
select distinct
    staged_challenges.application_urn,
    staged_challenges.challenged_at
from staged_challenges
anti join webhook_challenges using (application_urn, challenged_at)
