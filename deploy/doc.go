// Package deploy holds what an operator is given: what the metrics tell, the rules that alert, the dashboard, and the
// real parts that run locally. It has no code of its own.
package deploy

//go:generate go test ../cmd/ringbridge -run ^TestMetrics$/^are_those_of_the_table$ -count 1 -update
