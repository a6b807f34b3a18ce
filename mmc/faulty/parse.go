package faulty

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"burnfs/mmc"
)

// SyntaxError is a line of a plan that cannot be understood.
type SyntaxError struct {
	Line int    // from 1
	Got  string // the word or line in question; may be empty
	Want string // what can be in its place
}

// Error tells the line and what was expected there.
func (e *SyntaxError) Error() string {
	if e.Got == "" {
		return fmt.Sprintf("line %d of the fault plan ends where %s was expected", e.Line, e.Want)
	}
	return fmt.Sprintf("line %d of the fault plan: expected %s, not %q", e.Line, e.Want, e.Got)
}

// Bounds of a plan, so that any file can be given for one.
const (
	maxRules = 1000
	maxLine  = 1000 // bytes
)

// ParsePlan reads a plan; see the package comment for its language. If something
// in it depends on chance and it has no seed, one is chosen; [Plan.String] shows
// it. Errors: *SyntaxError, and those of r.
func ParsePlan(r io.Reader) (*Plan, error) {
	p := new(Plan)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(lines.Text(), "#")
		w := &words{line: n, rest: strings.Fields(text)}
		if len(w.rest) == 0 {
			continue
		}
		if err := p.line(w, text); err != nil {
			return nil, err
		}
		if len(p.rules) > maxRules {
			return nil, &SyntaxError{n, strings.TrimSpace(text), fmt.Sprintf("at most %d rules", maxRules)}
		}
	}
	if err := lines.Err(); err == bufio.ErrTooLong {
		return nil, &SyntaxError{n + 1, "a longer one", fmt.Sprintf("a line of at most %d bytes", maxLine)}
	} else if err != nil {
		return nil, fmt.Errorf("reading the fault plan: %w", err)
	}
	if p.needsSeed() && !p.seeded {
		p.seed, p.seeded = rand.Uint64(), true
	}
	return p, nil
}

func (p *Plan) needsSeed() bool {
	for i := range p.rules {
		if p.rules[i].when.how == chance {
			return true
		}
	}
	return false
}

func (p *Plan) line(w *words, text string) error {
	switch strings.ToLower(w.rest[0]) {
	case "seed":
		w.next()
		return p.parseSeed(w)
	case "slow":
		w.next()
		return p.parseSlow(w)
	}
	choice, effect, ok := strings.Cut(text, ":")
	if !ok {
		return w.fail(strings.TrimSpace(text), "a command, a colon and what happens to it, or slow, or seed")
	}
	var r rule
	w.rest = strings.Fields(choice)
	if err := r.parseChoice(w); err != nil {
		return err
	}
	w.rest = strings.Fields(effect)
	var err error
	if r.effect, err = parseEffect(w); err != nil {
		return err
	}
	p.rules = append(p.rules, r)
	return w.end()
}

func (p *Plan) parseSeed(w *words) error {
	if p.seeded {
		return w.fail("seed", "only one seed")
	}
	word := w.next()
	seed, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		return w.fail(word, "a number as seed")
	}
	p.seed, p.seeded = seed, true
	return w.end()
}

// words are those of one line that are not used yet.
type words struct {
	line int
	rest []string
}

// next takes a word; it is empty at the end of the line.
func (w *words) next() string {
	if len(w.rest) == 0 {
		return ""
	}
	word := w.rest[0]
	w.rest = w.rest[1:]
	return word
}

// accept takes the next word if it is the given one.
func (w *words) accept(word string) bool {
	if len(w.rest) > 0 && strings.EqualFold(w.rest[0], word) {
		w.rest = w.rest[1:]
		return true
	}
	return false
}

func (w *words) end() error {
	if len(w.rest) > 0 {
		return w.fail(w.rest[0], "the end of the line")
	}
	return nil
}

func (w *words) fail(got, want string) error { return &SyntaxError{w.line, got, want} }

// number takes a number of at least least.
func (w *words) number(least int, want string) (int, error) {
	word := w.next()
	n, err := strconv.ParseInt(word, 10, 32)
	if err != nil || int(n) < least {
		return 0, w.fail(word, want)
	}
	return int(n), nil
}

func (w *words) duration() (time.Duration, error) {
	word := w.next()
	d, err := time.ParseDuration(word)
	if err != nil || d <= 0 || d > maxDuration {
		return 0, w.fail(word, "a duration like 120ms, 20s or 5m")
	}
	return d, nil
}

// maxDuration bounds what a plan can ask for.
const maxDuration = 24 * time.Hour

// parseChoice reads what is in front of the colon.
func (r *rule) parseChoice(w *words) error {
	var name []string
	for len(w.rest) > 0 && !beginsWhen(w.rest[0]) {
		name = append(name, w.next())
	}
	if err := r.parseCommand(w, strings.Join(name, " ")); err != nil {
		return err
	}
	if w.accept("at") {
		b, err := parseRange(w)
		if err != nil {
			return err
		}
		r.blocks = b
	}
	if len(w.rest) == 0 {
		return nil
	}
	const nthWanted = "a number from 1 on that says which of these commands"
	var err error
	switch {
	case w.accept("from"):
		r.when.how = from
		r.when.n, err = w.number(1, nthWanted)
	case w.accept("every"):
		r.when.how = every
		r.when.n, err = w.number(1, nthWanted)
	case w.accept("chance"):
		r.when.how = chance
		r.when.n, err = parseChance(w)
	default:
		r.when.how = nth
		r.when.n, err = w.number(1, nthWanted+", or from, every, chance")
	}
	if err != nil {
		return err
	}
	if len(w.rest) > 0 {
		return w.fail(w.rest[0], "a colon")
	}
	return nil
}

// beginsWhen says whether a word cannot belong to the name of a command.
func beginsWhen(word string) bool {
	switch strings.ToLower(word) {
	case "at", "from", "every", "chance":
		return true
	}
	_, err := strconv.Atoi(word)
	return err == nil
}

const commandWanted = "the name of an MMC command like WRITE(10), its operation code like 2Ah, or any"

func (r *rule) parseCommand(w *words, name string) error {
	if strings.EqualFold(name, "any") {
		r.any = true
		return nil
	}
	if code, ok := strings.CutSuffix(strings.ToLower(name), "h"); ok && len(code) == 2 {
		if n, err := strconv.ParseUint(code, 16, 8); err == nil {
			r.opcode = mmc.Opcode(n)
			return nil
		}
	}
	var found []mmc.Opcode
	want := plainName(name)
	for n := range 256 {
		op := mmc.Opcode(n)
		have := plainName(op.String())
		if have == want {
			r.opcode = op
			return nil
		}
		if strings.Contains(want, " ") && strings.HasPrefix(have, want+" ") {
			found = append(found, op)
		}
	}
	switch len(found) {
	case 0:
		return w.fail(name, commandWanted)
	case 1:
		r.opcode = found[0]
		return nil
	}
	return w.fail(name, fmt.Sprintf("one command, %v or %v", found[0], found[1]))
}

// plainName makes names equal that differ in what people do not remember.
func plainName(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToUpper(name), func(c rune) bool { return c == ' ' || c == '/' || c == '-' }), " ")
}

func parseRange(w *words) (*blockRange, error) {
	word := w.next()
	a, b, isRange := strings.Cut(word, "-")
	first, err := strconv.ParseUint(a, 10, 32)
	last := first
	if err == nil && isRange {
		last, err = strconv.ParseUint(b, 10, 32)
	}
	if err != nil || last < first {
		return nil, w.fail(word, "a block number like 5000, or a range like 5000-5999")
	}
	return &blockRange{uint32(first), uint32(last)}, nil
}

func parseChance(w *words) (int, error) {
	word := w.next()
	percent, ok := strings.CutSuffix(word, "%")
	f, err := strconv.ParseFloat(percent, 64)
	n := math.Round(f * million / 100)
	if !ok || err != nil || !(n >= 1 && n <= million) {
		return 0, w.fail(word, "a percentage from 0.0001% to 100%")
	}
	return int(n), nil
}

const effectWanted = "what happens: sense, deferred, hang, short, lie, answer, lost-answer, never-arrives, vanish or lose-power"

func parseEffect(w *words) (effect, error) {
	word := w.next()
	switch strings.ToLower(word) {
	case "sense", "deferred":
		return parseRefusal(w, strings.EqualFold(word, "deferred"))
	case "hang":
		if len(w.rest) == 0 {
			return hang{forGood}, nil
		}
		d, err := w.duration()
		return hang{d}, err
	case "short":
		n, err := w.number(0, "the number of bytes that are moved")
		return short{n}, err
	case "lie":
		return lie{}, nil
	case "answer":
		return parseAnswer(w)
	case "lost-answer":
		return lostAnswer{}, nil
	case "never-arrives":
		return lostCommand{}, nil
	case "vanish":
		if len(w.rest) == 0 {
			return nil, w.fail("", "for and a duration, or for good")
		}
		d, err := parseFor(w)
		return vanish{d}, err
	case "lose-power":
		d, err := parseFor(w)
		return powerCut{d}, err
	}
	return nil, w.fail(word, effectWanted)
}

func parseRefusal(w *words, deferred bool) (effect, error) {
	word := w.next()
	e := refusal{deferred: deferred}
	parts := strings.Split(word, "/")
	var n [3]uint64
	ok := len(parts) == 3
	for i := 0; ok && i < len(n); i++ {
		var err error
		n[i], err = strconv.ParseUint(parts[i], 16, 8)
		ok = err == nil
	}
	if !ok || n[0] > 0xf {
		return nil, w.fail(word, "sense data as key, code and qualifier, like 3/0C/00")
	}
	e.key, e.asc, e.ascq = mmc.SenseKey(n[0]), uint8(n[1]), uint8(n[2])
	e.done = w.accept("done")
	return e, nil
}

func parseAnswer(w *words) (effect, error) {
	word := w.next()
	b, err := hex.DecodeString(word)
	if err != nil || len(b) == 0 {
		return nil, w.fail(word, "bytes in hexadecimal like 00ff12")
	}
	e := answer{bytes: string(b)}
	if w.accept("from") {
		if e.at, err = w.number(0, "the number of a byte in the reply, from 0 on"); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// parseFor reads nothing, for and a duration, or for good.
func parseFor(w *words) (time.Duration, error) {
	if len(w.rest) == 0 {
		return 0, nil
	}
	if word := w.next(); !strings.EqualFold(word, "for") {
		return 0, w.fail(word, "for and a duration, or for good")
	}
	if w.accept("good") {
		return forGood, nil
	}
	return w.duration()
}

// String returns the rule as text.
func (r *rule) String() string {
	var b strings.Builder
	switch name := r.opcode.String(); {
	case r.any:
		b.WriteString("any")
	case strings.HasPrefix(name, "command "): // it has none
		fmt.Fprintf(&b, "%02Xh", uint8(r.opcode))
	default:
		b.WriteString(name)
	}
	if r.blocks != nil {
		fmt.Fprintf(&b, " at %d", r.blocks.first)
		if r.blocks.last != r.blocks.first {
			fmt.Fprintf(&b, "-%d", r.blocks.last)
		}
	}
	switch w := r.when; w.how {
	case nth:
		fmt.Fprintf(&b, " %d", w.n)
	case from:
		fmt.Fprintf(&b, " from %d", w.n)
	case every:
		fmt.Fprintf(&b, " every %d", w.n)
	case chance:
		fmt.Fprintf(&b, " chance %s%%", strconv.FormatFloat(float64(w.n)*100/million, 'f', -1, 64))
	}
	return b.String() + ": " + r.effect.String()
}
