/** What a person who meets a service that is away may do; a change may have been made before the answer was lost. */
export const advice = '; try again shortly. If this was a change, read the resource before you repeat it';
