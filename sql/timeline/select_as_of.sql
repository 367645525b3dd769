-- Of which moment does the copy speak?
select max(as_of) as as_of from runs
