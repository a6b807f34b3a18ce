package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	for _, row := range []struct {
		reason string
		args   []string
	}{
		{"a regexp that is none", []string{"-rows", "("}},
		{"nothing of everything", []string{"-scale", "0"}},
		{"no round", []string{"-rounds", "0"}},
		{"a word too much", []string{"copy-in"}},
	} {
		if _, err := parse(row.args, io.Discard); err == nil {
			t.Errorf("%s was taken: %q", row.reason, row.args)
		}
	}
}

func TestList(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-list", "-rows", "^(copy-in|burned-copy)$"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "copy-in ") || !strings.Contains(got, "burned-copy ") {
		t.Errorf("listed:\n%s", got)
	}
}
