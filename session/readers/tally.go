package readers

// maxExamples is how many names a tally keeps.
const maxExamples = 3

// A tally counts names and keeps the first of them.
type tally struct {
	count    int64
	examples []string
}

func (t *tally) add(path string) {
	t.count++
	if len(t.examples) < maxExamples {
		t.examples = append(t.examples, path)
	}
}

// remark appends one about the tally, if it counted anything.
func (t *tally) remark(list []Remark, effect Effect, what string) []Remark {
	if t.count == 0 {
		return list
	}
	return append(list, Remark{Effect: effect, Count: t.count, What: what, Examples: t.examples})
}
