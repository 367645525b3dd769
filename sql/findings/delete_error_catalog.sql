-- Delete the error catalog, before the one that this version brings is loaded.
delete from error_catalog
