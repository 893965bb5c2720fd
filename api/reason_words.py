"""What the words under `reason` mean, for people; `docs/reference/reasons.md` has them at length."""

from __future__ import annotations

from collections.abc import Mapping

from c8s.run.reasons import AWAITING_APPROVAL

STEP_WORDS: Mapping[str, str] = {
    "Collecting": "it has ended, its result is being collected",
    "JobMissing": "its Job is not to be seen at the moment",
    "MalformedJob": "its Job can't be read",
    "Error": "a command failed",
    "OOMKilled": "it used more memory than it may",
    "TimedOut": "it took longer than its time limit",
    "CheckoutFailed": "the commit could not be checked out",
    "RestoreFailed": "files of earlier steps, or the cache, could not be fetched",
    "ServiceFailed": "a service ended before the step began",
    "SaveFailed": "the commands succeeded, but what they made could not be kept",
    "CannotStart": "the container could not be started",
    "Evicted": "the node had too little left and sent it away",
    "NodeLost": "the node was lost",
    "Deleted": "the pod was deleted",
    "JobDeleted": "the Job was deleted before it had ended",
    "UnreadableResult": "its result can't be read",
    "RootNotAllowed": "it asks for root, which is not allowed here",
    "ImageNotAllowed": "its image is not one of those the administrator allows",
    "OutputsTooLarge": "the outputs of this run are too large in all",
    "ApprovalRejected": "it was rejected",
    "ApprovalTimedOut": "too few approvals came in time",
    "InvalidStep": "with this run's values put in, it can't be started",
    "ConditionFalse": "its condition is not met",
    "DependencyFailed": "a step it depends on did not succeed",
    "RunCancelled": "the run was cancelled",
    "RunTimedOut": "the run took longer than its time limit",
    "Superseded": "a newer run has taken this one's place",
    "FailFast": "another combination of its matrix has failed",
    "AwaitingApproval": "it waits for approval",
    "MaxParallel": "as many combinations as may are running",
    "Retrying": "it is being tried again",
    "Reused": "taken over from the run that this one repeats",
}
WAITING_WORDS: Mapping[str, str] = {
    "AwaitingApproval": "for approval",
    "MaxParallel": "for another combination to end",
    "QuotaExceeded": "for room in the namespace's quota",
    "NeverFits": "in vain: more is asked for than is ever allowed",
    "AdmissionRefused": "while a policy of the cluster refuses its pod",
    "FailedCreate": "while its pod can't be made; Kubernetes tries again",
    "Suspended": "for its turn in the cluster's queue",
    "Unschedulable": "for a node with room",
    "ImagePullBackOff": "for its image",
    "ErrImagePull": "for its image",
    "ContainerCreating": "for its container",
    "PodInitializing": "for its container",
}


def explain_waiting(reason: str, message: str) -> str:
    """What follows "waiting": for what, and the status's own words."""
    # What to type is of no use beside the buttons.
    told = message.partition("; `")[0] if reason == AWAITING_APPROVAL else message
    return ": ".join(part for part in (WAITING_WORDS.get(reason, ""), told) if part) or reason
