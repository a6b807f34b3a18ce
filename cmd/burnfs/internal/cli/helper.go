package cli

import (
	"context"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/explain"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mounthelper"
)

// mountHelper is `mount -t burnfs DISC DIR` and an fstab line.
func mountHelper(env Env) int {
	a := &app{env: env}
	args, err := mounthelper.ParseMount(env.Args[1:])
	if err != nil {
		return a.helperStatus(failure.New(exitcode.Usage, nil, err.Error(), "", ""))
	}
	a.verbose = args.Verbose
	return a.helperStatus(explain.Error(a.mount(context.Background(), mountRequest{
		disc: args.Source, dir: args.Dir, options: args.Options, sloppy: args.Sloppy, fake: args.Fake,
	})))
}

// umountHelper is a plain `umount DIR`.
func umountHelper(env Env) int {
	a := &app{env: env}
	args, err := mounthelper.ParseUmount(env.Args[1:])
	if err != nil {
		return a.helperStatus(failure.New(exitcode.Usage, nil, err.Error(), "", ""))
	}
	a.verbose = args.Verbose
	return a.helperStatus(explain.Error(a.umount(context.Background(), umountRequest{
		dir: args.Dir, lazy: args.Lazy, namespace: args.Namespace,
	})))
}

// helperStatus complains and returns a status that mount(8) documents.
func (a *app) helperStatus(err error) int {
	if err != nil {
		a.complain(err)
	}
	return mounthelper.MountStatus(failure.CodeOf(err))
}
