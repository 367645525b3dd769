-- What is wrong with the rows of one name, by the lowest and the highest `surplus` among them.
create or replace temp macro difference(lowest, highest) as case
    when highest < 0 then 'is missing'
    when lowest > 0 then 'should not be there'
    else 'differs'
end
