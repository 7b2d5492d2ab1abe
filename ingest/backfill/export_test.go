package backfill

// Begin is pure, and tested by itself.
var Begin = begin
