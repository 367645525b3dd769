-- Load the error catalog.
insert into error_catalog by name
select * from staged_catalog
