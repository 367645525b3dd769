-- Forget the error catalogue, before the one that this version brings is loaded.
delete from error_catalog
