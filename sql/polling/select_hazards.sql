-- The estimated hazards of one application and of all together (''). One row per application and age bin.
select
    application_urn,
    bin,
    hazard_per_second,
    learned_at
from settling_hazard
where application_urn in ('', $application_urn::varchar)
order by application_urn, bin
