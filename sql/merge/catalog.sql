-- Load the error catalogue.
insert into error_catalog by name
select * from staged_catalog
