-- Entity tag of the file that stands in the way of an import that wants none there.
alter table import add column in_the_way text;
