// Package rules holds the rules of the code base that can be checked: which way
// imports point, which package may use which module, what each package says of
// itself. `make lint` has gofmt, go vet and staticcheck.
package rules
