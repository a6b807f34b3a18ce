// Package progress shows how far a burn is: a bar on a terminal, plain lines
// elsewhere, at most one line for each tenth so that logs stay readable.
package progress
