-- Which sources of LinkedIn's have gone silent as of this moment? One row per application; '' is the webhook itself.
select
    application_urn,
    min(last_received_at) as last_received_at,
    bool_or(is_blocked) as is_blocked
from silences
group by application_urn
order by application_urn
