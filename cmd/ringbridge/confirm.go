package main

import (
	"bufio"
	"context"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// confirm asks, and returns nil after a yes. What is asked goes to the error
// output, as the output may be a file.
func (p *program) confirm(ctx context.Context, question string) error {
	if _, err := p.err.Write([]byte(question + " [y/N] ")); err != nil {
		return err
	}
	answers := make(chan string, 1)
	go func() { // reading from a terminal can't be interrupted
		line, _ := bufio.NewReader(p.in).ReadString('\n')
		answers <- line
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case answer := <-answers:
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return nil
		}
		return errDeclined
	}
}

// operator returns the name of who runs the command, for the log.
func operator() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid()) // an image may hold no names
}
