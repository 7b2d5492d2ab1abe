package console

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/internal/letters"
)

// jobState is where a job stands. It only goes on.
//
//	looking ──▶ ready ──(confirmed, once)──▶ running ──▶ done
//	   └──────────────────▶ failed ◀────────────┘
type jobState string

const (
	jobLooking jobState = "looking"
	jobReady   jobState = "ready"
	jobRunning jobState = "running"
	jobDone    jobState = "done"
	jobFailed  jobState = "failed"
)

// maxExamples is how many of the letters that a plan leaves out are told one by one.
const maxExamples = 20

// job is an action on letters: its plan, and how far it is. Who sends the
// confirmation twice starts it once. It is safe for concurrent use.
type job struct {
	ID     string
	Action letters.Action
	Choice letters.Choice
	Made   time.Time

	mu       sync.Mutex
	state    jobState
	plan     *letters.Plan
	leftOut  []string
	did      int
	by       string
	fault    error
	begun    time.Time
	finished time.Time
}

// verb is what the action does.
func verb(a letters.Action) string {
	if a == letters.Discard {
		return "discard"
	}
	return "send back"
}

// Title tells the plans apart.
func (j *job) Title() string {
	return fmt.Sprintf("%s letters of %s", verb(j.Action), j.Choice.Source)
}

// Status is its state in words.
func (j *job) Status() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch j.state {
	case jobReady:
		return "waits for a yes: " + plural(j.plan.Letters.Total(), "letter")
	case jobRunning:
		return fmt.Sprintf("running: %s of %s", count(j.did), count(j.plan.Letters.Total()))
	case jobDone:
		return "done: " + plural(j.did, "letter")
	case jobFailed:
		return "ended by a fault"
	default:
		return "looking"
	}
}

// look finds what the action would do.
func (j *job) look(ctx context.Context, office Letters) {
	var leftOut []string
	plan, err := office.Plan(ctx, j.Action, j.Choice, func(step letters.Step) error {
		if !step.Do && len(leftOut) < maxExamples {
			why := string(step.Letter.State)
			if step.Fault != nil {
				why = step.Fault.Error()
			}
			leftOut = append(leftOut, step.Letter.Position.String()+": "+why)
		}
		return nil
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.state, j.fault = jobFailed, err
		return
	}
	j.plan, j.leftOut, j.state = plan, leftOut, jobReady
}

// confirm takes the one yes there is. It returns false where the job has begun, or
// can't.
func (j *job) confirm(by string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state != jobReady || j.plan.Letters.Total() == 0 {
		return false
	}
	j.state, j.by, j.begun = jobRunning, by, time.Now()
	return true
}

// carryOut does it. It must be called once, after confirm.
func (j *job) carryOut(ctx context.Context, office Letters) (did int, err error) {
	step := func(letters.Letter) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.did++
	}
	if j.Action == letters.Discard {
		did, err = office.Discard(ctx, j.plan, j.by, step)
	} else {
		did, err = office.SendBack(ctx, j.plan, j.by, step)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.did, j.fault, j.state, j.finished = did, err, jobDone, time.Now()
	if err != nil {
		j.state = jobFailed
	}
	return did, err
}

// fail ends a job that can't be carried out.
func (j *job) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state, j.fault = jobFailed, err
}

// moving tells whether it goes on by itself.
func (j *job) moving() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state == jobLooking || j.state == jobRunning
}

const (
	// maxJobs bounds the memory: a plan of a hundred thousand letters takes a few
	// megabytes.
	maxJobs = 10
	// jobLife is how long a plan waits for a yes, and an outcome for somebody to see it.
	jobLife = time.Hour
)

// jobs are those of this process. It is safe for concurrent use.
type jobs struct {
	mu  sync.Mutex
	all []*job // the newest first
}

// open makes a job; nil = there are too many at work.
func (js *jobs) open(action letters.Action, choice letters.Choice) *job {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.all = slices.DeleteFunc(js.all, func(j *job) bool { return !j.moving() && time.Since(j.Made) > jobLife })
	for i := len(js.all) - 1; i >= 0 && len(js.all) >= maxJobs; i-- { // the oldest makes room
		if !js.all[i].moving() {
			js.all = slices.Delete(js.all, i, i+1)
		}
	}
	if len(js.all) >= maxJobs {
		return nil
	}
	j := &job{ID: rand.Text(), Action: action, Choice: choice, Made: time.Now(), state: jobLooking}
	js.all = slices.Insert(js.all, 0, j)
	return j
}

// find returns the job with the id, or nil.
func (js *jobs) find(id string) *job {
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, j := range js.all {
		if j.ID == id {
			return j
		}
	}
	return nil
}

func (js *jobs) list() []*job {
	js.mu.Lock()
	defer js.mu.Unlock()
	return slices.Clone(js.all)
}
