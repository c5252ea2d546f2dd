"""What was found of the image."""


def image(job):
    return job.facts
