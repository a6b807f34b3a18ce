package mmc

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The package comment lists every command and every method that sends one, so that
// a new one cannot be forgotten there.
func TestHandbookListsCommands(t *testing.T) {
	src, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(src)
	source, err := os.ReadFile("opcode.go")
	if err != nil {
		t.Fatal(err)
	}
	clauses := map[string]string{}
	for _, m := range regexp.MustCompile(`\t(Op\w+)\s+Opcode = 0x([0-9a-f]{2}) // (6\.\d+)`).FindAllStringSubmatch(string(source), -1) {
		clauses[m[2]] = m[3]
	}
	for op, name := range opcodeNames {
		clause := clauses[fmt.Sprintf("%02x", uint8(op))]
		if op == OpReadHeader {
			if !strings.Contains(doc, name) {
				t.Errorf("the package comment does not mention %s", name)
			}
			continue
		}
		row := regexp.MustCompile(`(?m)^//\t` + regexp.QuoteMeta(clause) + ` +` + regexp.QuoteMeta(name) + `  `)
		if clause == "" || !row.MatchString(doc) {
			t.Errorf("the package comment has no row for %s with clause %q", name, clause)
		}
	}
	for m := range reflect.TypeFor[*Drive]().Methods() {
		switch m.Name {
		case "Claim", "Release", "Close", "LateError", "MaxTransfer", "MediumChanges", "NotWritableReason", "Stale":
			continue // send no command of their own
		}
		if !regexp.MustCompile(`\b` + m.Name + `\b`).MatchString(doc) {
			t.Errorf("the package comment does not list the method %s", m.Name)
		}
	}
}
