-- The one order of severities, the heaviest first; every connection has it. A test holds it against the models.
create or replace temp macro severity_rank(severity) as list_position(['HIGH', 'MEDIUM', 'LOW'], severity)
