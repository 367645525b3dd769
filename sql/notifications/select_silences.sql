-- Which sources of LinkedIn's have gone silent as of this moment? One row per application; '' for challenges.
select
    application_urn,
    last_received_at
from silences
order by application_urn
