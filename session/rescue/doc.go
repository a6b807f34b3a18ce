// Package rescue shows what is staged for a disc and copies it elsewhere, with the disc or
// without it, from stores that are whole and from damaged ones.
//
// What staging holds of a file is its new content and all its attributes; what it does not
// know is whatever nobody changed:
//
//	                    without the disc                  with it
//	a new file          whole                             whole
//	a changed file      the changed parts: NAME.partial   whole
//	its name            if it or its directory was        known
//	                    renamed, else inode-N
//	a new directory     with all that is in it            the same
//	a directory of the  inode-N, with what is new in it   under its own name
//	disc
//
// Export writes below its destination only, whatever names and links are staged, and
// replaces nothing that is there.
package rescue
