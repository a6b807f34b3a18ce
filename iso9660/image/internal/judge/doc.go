// Package judge lets foreign tools judge images, for the tests of package image
// and of those below it: it runs them and compares what they unpack.
package judge
