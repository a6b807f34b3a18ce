// Package emu is an optical drive made of software, with media that are files.
// It implements [mmc.Transport] and is as strict as the real ones.
package emu
