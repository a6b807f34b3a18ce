// Package report is what a run of all measurements leaves: one JSON document, and the same
// as a text with tables and plots.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/growth"
)

// Schema is the version of the JSON document. A field that goes or changes its meaning
// makes a new one.
const Schema = 1

// Report is all of it.
type Report struct {
	Schema  int              `json:"schema"`
	Setting Setting          `json:"setting"`
	Rows    []contest.Result `json:"rows"`
	Growth  []growth.Curve   `json:"growth"`
	Errors  []string         `json:"errors,omitempty"` // what could not be measured
}

// Setting says where and how it was measured.
type Setting struct {
	Began      time.Time `json:"began"`
	Seconds    float64   `json:"seconds"`
	Burnfs     string    `json:"burnfs"` // what `burnfs version` prints
	Scale      float64   `json:"scale"`
	Rounds     int       `json:"rounds"`
	Cold       string    `json:"cold,omitempty"` // how the page cache was emptied
	FileSystem string    `json:"file_system"`    // on which everything lay
	Processors int       `json:"processors"`
	MemoryMiB  int64     `json:"memory_mib"`
	Kernel     string    `json:"kernel"`
	LoadBefore float64   `json:"load_before"` // load average of a minute, before it began
	LoadAfter  float64   `json:"load_after"`
}

// ErrSchema says that a document is of another version.
var ErrSchema = errors.New("the report has another schema")

// WriteJSON writes the document.
func (r *Report) WriteJSON(w io.Writer) error {
	r.Schema = Schema
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// ReadJSON reads a document that was written by WriteJSON, and nothing else.
func ReadJSON(r io.Reader) (*Report, error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	var report Report
	if err := d.Decode(&report); err != nil {
		return nil, err
	}
	if report.Schema != Schema {
		return nil, fmt.Errorf("%w: %d, not %d", ErrSchema, report.Schema, Schema)
	}
	return &report, nil
}
