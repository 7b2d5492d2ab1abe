// Package kafka is what every stage needs of Kafka and no stage owns: the client
// options, the topics with their settings, and the reading of a state partition.
//
// It knows the names and settings of the topics, not their contents.
package kafka
