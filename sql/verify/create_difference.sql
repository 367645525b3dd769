-- What is wrong with a row that stands so many times too often, at the lowest and the highest.
create or replace temp macro difference(lowest, highest) as case
    when highest < 0 then 'is missing'
    when lowest > 0 then 'should not be there'
    else 'differs'
end
