-- What `stated` finds, read as milliseconds since 1970; a time before 1970 or after the year 9999 is none: one body that makes no
-- sense must not stop the others. Runs after create_stated.
create or replace temp macro stated_moment(payload, path) as case
    when try_cast(stated(payload, path) as bigint) between 0 and 253402300799999
        then to_timestamp(try_cast(stated(payload, path) as bigint) / 1000)
end
