package timeline

// Classified tells whether somebody has thought of a field (SCHEMA.FIELD).
func Classified(field string) bool {
	kind, _ := classify(field)
	return kind != unknown
}
