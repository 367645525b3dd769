-- Which voices of LinkedIn's have fallen silent at this moment? One row per application; '' for challenges.
select
    application_urn,
    last_heard_at
from silences
order by application_urn
